package audit

// reports compares what is published of a dataset with what would be without one
// vehicle.
var reports = attack{
	id: "reports", name: "Compare two reports",
	does: "Makes the report of the dataset, and for each vehicle that of the dataset without it, and compares them.",
	mark: "No published count changes by more than one vehicle may add. No suppressed count can be worked out.",
	run: func(*Dataset, Options) ([]Figure, error) {
		return []Figure{notRun("greatest change of a published count", "episodes", atMost, 0, "there are no reports yet")}, nil
	},
}
