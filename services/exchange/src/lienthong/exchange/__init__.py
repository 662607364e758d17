"""The data exchange of Liên thông: events, their subscriptions and their delivery."""
