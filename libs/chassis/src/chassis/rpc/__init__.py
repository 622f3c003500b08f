"""gRPC servers, clients and errors; never imported by a worker process."""
