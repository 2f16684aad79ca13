"""Where RECORD and REASON meet, one file a loop: ingest, fold, publish, and the family of processes that run them."""
