"""Rules, alert lifecycle, routing, notifications and channels.

Everything here is values in, values out, except `alerts.channels`, `alerts.http` and `alerts.egress`. It
never imports a web framework, a database, a scheduler, or anything of the monitor and the dashboard.
"""
