"""`hookvitals` and `python -m monitor`: hands over to the command line.

The collector's processes are interpreters of their own that read this file first. It loads no command until
one is called: a writer that died would be back half a second later for reports and rules it never uses.
"""

__all__ = ["main"]


def main() -> None:
    """Runs the command in sys.argv and ends the process."""
    from monitor.cli.main import main as run  # noqa: PLC0415  # see above

    run()


if __name__ == "__main__":
    main()
