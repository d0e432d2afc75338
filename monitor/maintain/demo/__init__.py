"""`hookvitals demo`: the product on one machine, with a receiver, traffic, and a place where alerts arrive.

Nothing is seeded: records reach the collector through the SDK alone, and alerts come from the engine alone.
"""
