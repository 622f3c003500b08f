"""gRPC doors: servers and clients with deadlines, tokens, typed errors and traces. Never imported by a worker."""
