"""Services: APIs that systems provide, described by their OpenAPI documents."""
