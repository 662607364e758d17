"""How several OpenAPI documents become one."""
