// Filled in below: each page works without this file.
