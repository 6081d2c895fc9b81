"""What Codex runs before a request and before a tool: the scripts, their entries in hooks.json, the gate's files."""
