"""The rules of the service. Pure: no input, no output, no clock; moments are unix seconds of the service's own time."""
