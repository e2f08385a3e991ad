"""The REST service and its web page: a thin face on collections."""
