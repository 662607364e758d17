"""A call of one operation in several languages, with values from its document.

What providers write stands in these texts as a value of the language, quoted; so nothing of it is ever a
command of whoever pastes a sample.
"""

from __future__ import annotations

import json
import re
import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote, urlencode

from lienthong.console.finding.parts import a_list, an_object, followed, operation_at

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

PURPOSE: Final = "MUC-DICH"
"""Stands where the caller writes a purpose of the own agreement."""
_PLACE: Final = re.compile(r"\{([^{}/]+)\}")
_LONGEST_VALUE: Final = 200


@dataclass(frozen=True, slots=True)
class Sample:
    """A program or a command; `file` is what it is saved as, if it is to be saved."""

    language: str
    text: str
    file: str = ""


@dataclass(frozen=True, slots=True)
class Request:
    """The call that samples make: an address with its values filled in, and a body if it takes one."""

    method: str
    service_id: str
    path: str
    gateway: str
    body: str | None

    @property
    def url(self) -> str:
        """Where it goes."""
        return f"{self.gateway}/api/{self.service_id}{self.path}"


def request_of(gateway: str, service_id: str, document: Mapping[str, Any], method: str, path: str) -> Request:
    """The call of an operation, with the examples of its document, else with names in capital letters."""
    item, operation = operation_at(document, method, path)
    parameters = [
        followed(document, one) for one in (*a_list(item, "parameters"), *a_list(operation, "parameters"))
    ]
    by_name = {(str(one.get("in")), str(one.get("name"))): one for one in parameters}

    def value(found: re.Match[str]) -> str:
        return quote(_example(document, by_name.get(("path", found[1]), {}), found[1]), safe="")

    filled = _PLACE.sub(value, path)
    query = {
        name: _example(document, one, name)
        for (where, name), one in by_name.items()
        if where == "query" and one.get("required") is True
    }
    body = _body(document, followed(document, operation.get("requestBody")))
    return Request(method, service_id, filled + (f"?{urlencode(query)}" if query else ""), gateway, body)


def samples(request: Request) -> Sequence[Sample]:
    """The call in each language."""
    return (
        Sample("lienthong", _command(request)),
        Sample("curl", _curl(request)),
        Sample("Python", _python(request), "call.py"),
        Sample("JavaScript (Node.js)", _javascript(request), "call.mjs"),
        Sample("Java", _java(request), "Call.java"),
        Sample("C#", _csharp(request), "Program.cs"),
    )


def _command(request: Request) -> str:
    lines = [
        f"lienthong call {shlex.quote(request.method)} {shlex.quote(request.service_id + request.path)} \\",
        f"  --as keys --purpose {PURPOSE}",
    ]
    if request.body is not None:
        lines[-1] += " \\"
        lines.append(f"  -d {shlex.quote(request.body)}")
    return "\n".join(lines)


def _curl(request: Request) -> str:
    lines = [
        "TOKEN=$(lienthong token --as keys)",
        f"curl -i -X {shlex.quote(request.method)} {shlex.quote(request.url)} \\",
        '  -H "Authorization: Bearer $TOKEN" \\',
        f"  -H 'LGSP-Purpose: {PURPOSE}'",
    ]
    if request.body is not None:
        lines[-1] += " \\"
        lines += ["  -H 'Content-Type: application/json' \\", f"  -d {shlex.quote(request.body)}"]
    return "\n".join(lines)


def _python(request: Request) -> str:
    body = "" if request.body is None else f"\n        json=json.loads({_json(request.body)}),"
    loads = "" if request.body is None else "import json\n\n"
    return f"""{loads}from lienthong.client import Client

with Client.from_folder("keys") as client:
    answer = client.call(
        {_json(request.service_id)},
        {_json(request.method)},
        {_json(request.path)},
        purpose="{PURPOSE}",{body}
    )
    print(answer.status, answer.json())"""


def _javascript(request: Request) -> str:
    body = "" if request.body is None else f"\n  body: {_json(request.body)},"
    kind = "" if request.body is None else '\n    "Content-Type": "application/json",'
    return f"""// TOKEN=$(lienthong token --as keys) node call.mjs
const answer = await fetch({_json(request.url)}, {{
  method: {_json(request.method)},
  headers: {{
    Authorization: `Bearer ${{process.env.TOKEN}}`,
    "LGSP-Purpose": "{PURPOSE}",{kind}
  }},{body}
}});
console.log(answer.status, await answer.text());"""


def _java(request: Request) -> str:
    publisher = "HttpRequest.BodyPublishers.noBody()"
    kind = ""
    if request.body is not None:
        publisher = f"HttpRequest.BodyPublishers.ofString({_json(request.body)})"
        kind = '\n        .header("Content-Type", "application/json")'
    return f"""// TOKEN=$(lienthong token --as keys) java Call.java
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;

public class Call {{
  public static void main(String[] arguments) throws Exception {{
    HttpRequest request = HttpRequest.newBuilder(URI.create({_json(request.url)}))
        .header("Authorization", "Bearer " + System.getenv("TOKEN"))
        .header("LGSP-Purpose", "{PURPOSE}"){kind}
        .method({_json(request.method)}, {publisher})
        .build();
    HttpResponse<String> answer =
        HttpClient.newHttpClient().send(request, HttpResponse.BodyHandlers.ofString());
    System.out.println(answer.statusCode() + " " + answer.body());
  }}
}}"""


def _csharp(request: Request) -> str:
    content = ""
    if request.body is not None:
        text = _json(request.body)
        content = f'\nrequest.Content = new StringContent({text}, Encoding.UTF8, "application/json");'
    return f"""// TOKEN=$(lienthong token --as keys) dotnet run
using System;
using System.Net.Http;
using System.Text;

var request = new HttpRequestMessage(new HttpMethod({_json(request.method)}), {_json(request.url)});
request.Headers.Add("Authorization", "Bearer " + Environment.GetEnvironmentVariable("TOKEN"));
request.Headers.Add("LGSP-Purpose", "{PURPOSE}");{content}
using var client = new HttpClient();
var answer = await client.SendAsync(request);
Console.WriteLine((int)answer.StatusCode + " " + await answer.Content.ReadAsStringAsync());"""


def _json(text: str) -> str:
    """A text as a literal: JSON's is one of Python, JavaScript, Java and C# too."""
    return json.dumps(text)


def _example(document: Mapping[str, Any], parameter: Mapping[str, Any], name: str) -> str:
    schema = followed(document, parameter.get("schema"))
    for value in (*_examples(parameter), *_examples(schema)):
        if isinstance(value, str | int | float) and not isinstance(value, bool):
            return str(value)[:_LONGEST_VALUE]
    return name.upper()[:_LONGEST_VALUE]


def _examples(holder: Mapping[str, Any]) -> Iterator[Any]:
    """The examples that a parameter, a media type or a schema has, the plainest first."""
    if "example" in holder:
        yield holder["example"]
    examples = holder.get("examples")
    if isinstance(examples, list):
        yield from examples[:1]
    for one in list(an_object(examples).values())[:1]:
        yield an_object(one).get("value")
    for name in ("const", "default"):
        if name in holder:
            yield holder[name]
    yield from a_list(holder, "enum")[:1]


def _body(document: Mapping[str, Any], stated: Mapping[str, Any]) -> str | None:
    """A body in JSON, where the operation takes one: its example, else an empty object."""
    for kind, media in an_object(stated.get("content")).items():
        if "json" not in str(kind):
            continue
        media_type = an_object(media)
        schema = followed(document, media_type.get("schema"))
        known = (*_examples(media_type), *_examples(schema))
        found: Any = next((one for one in known if one is not None), {})
        return json.dumps(found, ensure_ascii=False)[: 10 * _LONGEST_VALUE]
    return None
