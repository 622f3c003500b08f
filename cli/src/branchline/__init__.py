"""The branchline command and the embedded platform."""
