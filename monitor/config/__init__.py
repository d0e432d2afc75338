"""Process settings and hookvitals.toml: read, checked, frozen.

The only reader of the environment. It opens no store and no socket; an error names the file, the line, the
key and the form that was expected.
"""
