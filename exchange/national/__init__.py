"""The national calling convention (国家数据共享平台接口规范) in both its generations, as a server and as a client.

`signing` holds the form of signatures and headers, `serving` answers integrators who call us unchanged, `requesters` registers
them, `client` calls platforms above. Calls pass the same decision point as every other call (`exchange.calls`).
"""
