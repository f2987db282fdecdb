// A scene card of the agent for QML: its properties, kept up to date.
#pragma once
#include <QtDBus>

class VignetteCard : public QObject
{
    Q_OBJECT
    Q_PROPERTY(QVariantMap now READ now NOTIFY changed) // Id, State, Why …; empty: no agent, or no such card

public:
    // element is the last one of the card's path: its id, escaped as sd_bus_path_encode(3) does.
    VignetteCard(const QDBusConnection &connection, const QString &element, QObject *parent = nullptr)
        : QObject(parent), bus(connection), path(root + u"/card/"_qs + element), owner(agent, bus)
    {
        // Subscribe first, then read. Signals come to this connection only: begin calls Watch on it.
        bus.connect(agent, path, u"org.freedesktop.DBus.Properties"_qs, u"PropertiesChanged"_qs,
                    this, SLOT(update(QString, QVariantMap, QStringList)));
        connect(&owner, &QDBusServiceWatcher::serviceRegistered, this, &VignetteCard::begin);
        connect(&owner, &QDBusServiceWatcher::serviceUnregistered, this, [this] { set({}); });
        begin();
    }
    QVariantMap now() const { return properties; }
    Q_INVOKABLE void run() { call(root, agent, u"RunCard"_qs, {properties[u"Id"_qs]}); }

signals:
    void changed();

private slots:
    void update(const QString &interface, const QVariantMap &values, const QStringList &)
    {
        if (interface != card)
            return;
        QVariantMap all = properties;
        all.insert(values);
        set(all);
    }

private:
    void begin()
    {
        then(call(root, agent, u"Watch"_qs, {QStringList()}), [this](const QDBusMessage &) {
            then(call(path, u"org.freedesktop.DBus.Properties"_qs, u"GetAll"_qs, {card}), [this](const QDBusMessage &reply) {
                set(qdbus_cast<QVariantMap>(reply.arguments().value(0)));
            });
        });
    }
    void set(const QVariantMap &all)
    {
        properties = all;
        emit changed();
    }
    QDBusPendingCall call(const QString &object, const QString &interface, const QString &method, const QVariantList &args)
    {
        QDBusMessage m = QDBusMessage::createMethodCall(agent, object, interface, method);
        m.setArguments(args);
        return bus.asyncCall(m);
    }
    template <typename F> void then(const QDBusPendingCall &pending, F f)
    {
        auto *watcher = new QDBusPendingCallWatcher(pending, this);
        connect(watcher, &QDBusPendingCallWatcher::finished, this, [f, watcher] {
            watcher->deleteLater();
            if (watcher->isError())
                qWarning() << "vignette:" << watcher->error().message();
            else
                f(watcher->reply());
        });
    }

    const QString agent = u"org.vignette.Agent1"_qs, root = u"/org/vignette/Agent1"_qs, card = u"org.vignette.Card1"_qs;
    QDBusConnection bus;
    const QString path;
    QDBusServiceWatcher owner;
    QVariantMap properties;
};
