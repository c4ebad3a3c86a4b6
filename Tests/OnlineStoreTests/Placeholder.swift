// filled by the store
