"""What requests and answers hold, one file a noun: the OpenAPI document is made of these."""
