"""``python -m vnet``."""

from vnet.cli.main import main

if __name__ == "__main__":
    main()
