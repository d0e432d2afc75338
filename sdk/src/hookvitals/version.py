"""The version of the SDK, as shipped to the collector."""

VERSION = "0.1.0"
