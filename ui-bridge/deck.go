package uibridge

// Deck is the cards of the car as files: what is wrong with them.
type Deck interface {
	// Problems is what is wrong with the files of cards and profile that are not
	// taken, as file:line:col: what; none is an empty list.
	Problems() []string
}
