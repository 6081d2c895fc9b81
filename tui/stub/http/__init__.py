"""The service over HTTP: the endpoints of a signed-in client, and the controls of a test."""
