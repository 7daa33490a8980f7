"""The broker for many routers: questions, presence and answers on a NATS server with JetStream.

broker       the `Broker`: a change is a compare-and-set on one record, so routers need not know each other
questions    questions on the server, kept and changed so that one router is always the first
records      what is kept of a question, and its encoding
settlement   what a change makes of such a record: pure functions
job_board    this router's copy of the open questions, and since when each stands as it does
node_board   this router's copy of who is there
streams      the four streams on the server
connection   writes that are repeated until they are known to have happened; reads
feed         everything new on a subject, without gaps, also over a restart of the server
settings     how to reach the server

Needs the extra `server`; nothing else in DAI imports the client library.
"""
