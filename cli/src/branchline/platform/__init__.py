"""The embedded platform on one machine: its data folder, its processes, and the supervisor that keeps them running."""
