"""The on-call's screen. It reads through `dashboard.data` and acts through `dashboard.actions` alone."""
