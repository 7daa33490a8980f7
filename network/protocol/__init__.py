"""The messages between askers, workers and routing servers, version 1.

Everything here is data: frozen, strict types with bounded sizes. Who may say what, and what is checked before
it is believed, is the business of the modules that use them. docs/reference/protocol.md describes the whole,
docs/reference/protocol.schema.json is generated from these types.

fields        what a number, a name, a key may look like
message       the base of all messages; encoding, strict decoding, canonical form
cards         what a device publishes about itself
registration  how a worker proves to a router who it is
groups        what a device shows of the groups that it belongs to
presence      how busy a worker is; goodbye
tickets       which workers a router offers for a question
jobs          a sealed question, and its way to a worker
answers       the parts of a sealed answer
content       what is inside the seals; routers never see these
receipts      what both sides sign in the end
routers       what a router tells about itself over HTTP
problems      errors of the HTTP interface (RFC 9457)
frames        which messages may come over which link
schema        the JSON Schema of all of them
"""
