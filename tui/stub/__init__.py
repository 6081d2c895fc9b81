"""The quota service of one's own: rules, state, endpoints, faults; embedded for the demo, or a process on loopback."""
