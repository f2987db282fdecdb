// Shows one card: qtcard lamp. In a car the bus is QDBusConnection::systemBus().
#include "vignettecard.h"
#include <QGuiApplication>
#include <QQmlApplicationEngine>
#include <QQmlContext>

int main(int argc, char **argv)
{
    QGuiApplication app(argc, argv);
    VignetteCard card(QDBusConnection::sessionBus(), app.arguments().value(1));
    QQmlApplicationEngine engine;
    engine.rootContext()->setContextProperty(u"card"_qs, &card);
    engine.load(QUrl(u"qrc:/Card.qml"_qs));
    return engine.rootObjects().isEmpty() ? 1 : app.exec();
}
