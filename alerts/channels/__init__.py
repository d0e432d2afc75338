"""Where messages go: one file a channel. Importing this package imports no channel and no network library."""
