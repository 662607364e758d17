"""What every Liên thông process needs, and none of the rules of the domain.

One module, one thing. Import from the modules; this package exports nothing itself.

- Values: `clock`, `ids`, `text` (in two languages), `json_text`, `json_pointer`.
- Errors: `problems` (RFC 9457, the registry of all codes), `rpc_errors`.
- REST: `rest`, `bodies`, `openapi`, `access` (who calls); `tokens`, `keys` and `jwk` verify.
- State: `database`, `engines`, `migrations`, `bulk`, `outbox`, `files`.
- Between processes: `bus`, `consumer`, `messages`, `journal`, `rpc`, `replica`, `replica_copy`, `backoff`.
- The process: `process`, `arguments`, `settings`, `ports`, `health`, `logs`, `telemetry`.
"""
