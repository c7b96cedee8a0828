"""What the suites share: a private database cluster, a portal with a courier,
a mailbox, an HTTP client, a browser, and the everyday flows through them."""
