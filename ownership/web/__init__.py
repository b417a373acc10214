"""What handles a request before and around its view: middleware, sessions, sign-in, health checks and replicas."""
