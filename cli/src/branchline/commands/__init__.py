"""The commands, one file a topic: each parses, asks the platform, shows. Heavy imports happen inside the commands."""
