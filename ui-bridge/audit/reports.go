package audit

var reports = attack{id: "reports", name: "x", run: func(*Dataset, Options) ([]Figure, error) { return nil, nil }}
