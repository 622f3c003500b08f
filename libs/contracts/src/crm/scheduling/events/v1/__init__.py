"""Generated from proto/ by `./branchline proto`; never edited."""
