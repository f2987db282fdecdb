import QtQuick

Window {
    visible: true
    width: 320; height: 80
    Text {
        text: card.now.Id ? card.now.Id + ": " + card.now.State + " " + card.now.Why : "no card"
        onTextChanged: () => console.log(text)
        TapHandler { onTapped: card.run() }
    }
}
