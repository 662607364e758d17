"""SDK of the Liên thông interoperability bus.

    from lienthong.client import Client

    with Client.from_folder("my-system") as client:
        answer = client.call("H11.05/land/parcels-v1", "GET", "/parcels/1", purpose="land-procedure")

The public names are listed in `__init__.pyi`. Each is imported when first used, so that the `lienthong`
command starts fast.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
