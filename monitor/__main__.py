"""`hookvitals` and `python -m monitor`: hands over to the command line."""

from monitor.cli.main import main

__all__ = ["main"]

if __name__ == "__main__":
    main()
