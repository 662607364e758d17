"""The relying party's side of OpenID Connect: what the console and identity need to have people sign in
elsewhere.

`Attempt` is one sign-in that is under way, `Provider` whoever is asked, found by its issuer alone (OpenID
Connect Discovery). Whatever a provider answers is bounded before it is read. Errors:

    RelyingError
    ├── ProviderAwayError       no answer, or none that can be used
    │   └── ProviderBusyError   so many requests to it wait that this one is not even sent
    ├── ProviderRefusedError    the provider says no, in a word of RFC 6749 or OpenID Connect
    ├── AnswerRefusedError      the answer that a browser brought is none to what was asked
    └── TokenRefusedError       a token of the provider does not prove what it should
        └── UnknownKeyError     it was signed with a key that is not known (yet)
"""
