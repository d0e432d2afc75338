"""How many messages wait in a queue, and for how long: asked of its broker, and no message is ever read or
taken.

Everything goes through `alerts.egress`; an answer is at most 64 KiB. What is asked is so little that it needs
no client library: Redis is asked in its own protocol, RabbitMQ over its management API.
"""
