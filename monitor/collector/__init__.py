"""The collector: the one way in. A front takes records over HTTP, one writer process puts them on disk.

record → body → wire → accept → names → pack → link → writer → answer, in that order; `serve` runs it all.
"""
