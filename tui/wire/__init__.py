"""What Codex and its service say, and what is sent to them: bytes to the domain's values, and back.

Every `decode_…` raises `BadPayload` for what is no JSON object; anything less only makes fields unknown.
"""
