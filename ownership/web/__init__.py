"""What every request passes before it reaches a view: request id, client address, rate limit, sign-in, health."""
