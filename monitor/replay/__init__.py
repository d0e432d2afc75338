"""Dead letters and how they are tried again.

`letters`, `verdict`, `plan` and `brake` decide, and see neither store nor network; `intake`, `engine` and
`redelivery` do, each step in a transaction of the leader; `sender` is the one outbound request.
"""
