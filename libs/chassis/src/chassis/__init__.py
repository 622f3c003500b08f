"""What any Python gRPC and message-bus service needs; knows no business noun and imports nothing by itself."""
