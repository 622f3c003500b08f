"""The embedded platform's processes: the only place outside a service that imports its doors."""
