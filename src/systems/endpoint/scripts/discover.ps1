# What the host serves: sites, bindings, applications and their databases; whether this session may change it.
param($Parameters)

# A PowerShell that looks for its modules in another one's folders finds none of these.
$missing = @('Expand-Archive', 'Unblock-File', 'Invoke-WebRequest', 'Get-CimInstance', 'Get-Acl', 'Set-Acl' |
        Where-Object { -not (Get-Command -Name $_ -ErrorAction SilentlyContinue) })
if ($missing.Count -gt 0) { Fail 'UnexpectedState' "PowerShell $($PSVersionTable.PSVersion) knows no $([string]::Join(', ', $missing)); its PSModulePath is $env:PSModulePath" }

# Ask SQL Server whether a login has the role sysadmin: 1, 0, or $null when it does not say.
function Get-SysadminAnswer([string] $ConnectionString, [string] $Login, [bool] $Self) {
    $connection = New-Object System.Data.SqlClient.SqlConnection($ConnectionString)
    try {
        $connection.Open()
        $command = $connection.CreateCommand()
        $command.CommandTimeout = 15
        # The login of the connection may ask for itself; any other is visible to an administrator only (systems.md 4.4).
        if ($Self) {
            $command.CommandText = "SELECT IS_SRVROLEMEMBER('sysadmin')"
        } else {
            $command.CommandText = "SELECT IS_SRVROLEMEMBER('sysadmin', @login)"
            $null = $command.Parameters.AddWithValue('@login', $Login)
        }
        $answer = $command.ExecuteScalar()
        if ($null -ne $answer -and $answer -isnot [DBNull]) { [int] $answer }
    } catch {
        # 'Cannot verify' is an answer of its own; the message may hold the connection string.
        Add-Log "SQL Server did not answer for the login ${Login}: $($_.Exception.GetType().Name)"
    } finally {
        $connection.Dispose()
    }
}

function Get-PoolIdentity([string] $Pool, [bool] $Local) {
    $model = @(Get-WebConfiguration -PSPath 'MACHINE/WEBROOT/APPHOST' -Filter 'system.applicationHost/applicationPools/add' |
            Where-Object { $_.name -eq $Pool })[0].processModel
    switch ([string] $model.identityType) {
        'SpecificUser' { [string] $model.userName }
        'LocalSystem' { 'NT AUTHORITY\SYSTEM' }
        'LocalService' { 'NT AUTHORITY\LOCAL SERVICE' }
        'NetworkService' { if ($Local) { 'NT AUTHORITY\NETWORK SERVICE' } else { "$env:USERDOMAIN\$env:COMPUTERNAME`$" } }
        default { if ($Local) { "IIS APPPOOL\$Pool" } else { "$env:USERDOMAIN\$env:COMPUTERNAME`$" } }
    }
}

# Assumption: the connection string stands in web.config of the application (systems.md 4.1). It never leaves this script.
function Get-Database($Application) {
    if (-not (Test-Path -LiteralPath $Application.physicalPath -PathType Container)) { return }
    $config = Read-WebConfig $Application.physicalPath
    if (-not $config) { return }
    $section = $config.SelectSingleNode('/configuration/connectionStrings')
    if (-not $section) { return }
    if ($section.Attributes['configProtectionProvider']) {
        return @{ dataSource = '(encrypted connection string)'; login = ''; sysadmin = $null }
    }
    foreach ($entry in $section.SelectNodes('add[@connectionString]')) {
        $parts = New-Object System.Data.Common.DbConnectionStringBuilder
        $parts.set_ConnectionString($entry.GetAttribute('connectionString'))
        $value = { param([string[]] $Names) $Names | Where-Object { $parts.ContainsKey($_) } | ForEach-Object { [string] $parts[$_] } | Select-Object -First 1 }
        $dataSource = & $value 'Data Source', 'Server', 'Address', 'Addr', 'Network Address'
        if (-not $dataSource) { continue }
        $local = $dataSource -match '^(np:|tcp:|lpc:)?(\.|\(local\)|localhost|' + [regex]::Escape([string] $env:COMPUTERNAME) + ')([\\,]|$)'
        $user = & $value 'User ID', 'UID', 'User'
        $login = if ($user) { $user } else { Get-PoolIdentity $Application.pool $local }
        $sysadmin = $null
        if ($dataSource -notmatch '^\(localdb\)\\') {
            $sysadmin = Get-SysadminAnswer $entry.GetAttribute('connectionString') $login ([bool] $user)
        }
        return @{ dataSource = $dataSource; login = $login; sysadmin = $sysadmin }
    }
}

# The integrity levels 'high' and 'system', by their identifiers: names differ with Windows' language.
$groups = (@(whoami /groups) -join "`n")

@{
    identity = Get-Identity
    elevated = $groups -match 'S-1-16-(12288|16384)\b'
    # What is not there yet will be made as it has to be.
    exposed  = @(@($dataDirectory, $Parameters.workDirectory, $Parameters.settings) | Where-Object { $_ -and (Test-Path -LiteralPath $_) } |
            ForEach-Object { Get-Exposure $_ } | Select-Object -Unique)
    sites    = @(Get-Sites | ForEach-Object {
            foreach ($application in $_.applications) {
                $application.database = Get-Database $application
                $deployed = Get-Deployed $application.physicalPath
                $application.assemblies = $deployed.assemblies
                $application.webConfigVersion = $deployed.webConfigVersion
            }
            $_
        })
}
