package org.holdfast.handheld.platform

import android.content.Context
import android.net.ConnectivityManager
import android.net.Network

/**
 * Calls back whenever the system gains a network. Only a hint to try at once: whether the gateway
 * can be reached is for the core to find out.
 */
class NetworkWatch(context: Context, private val onNetwork: () -> Unit) {
    private val connectivity = context.getSystemService(ConnectivityManager::class.java)
    private val callback = object : ConnectivityManager.NetworkCallback() {
        override fun onAvailable(network: Network) = onNetwork()
    }

    fun start() {
        connectivity?.registerDefaultNetworkCallback(callback)
    }

    fun stop() {
        connectivity?.unregisterNetworkCallback(callback)
    }
}
