"""What any Python gRPC and RabbitMQ service needs; it knows no business noun and no service."""
