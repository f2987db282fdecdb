package uibridge

func (a *agent) Problems() []string { return []string{"card.yaml:2:5: it is wrong"} }
