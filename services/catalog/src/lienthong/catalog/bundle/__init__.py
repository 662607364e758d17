"""The OpenAPI documents of an agency as one document, for those who make clients of it."""
