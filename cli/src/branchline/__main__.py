"""`python -m branchline`: the command line."""

from branchline.app import main

if __name__ == "__main__":
    main()
